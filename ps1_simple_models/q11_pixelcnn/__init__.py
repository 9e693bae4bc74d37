"""Question 11: A PixelCNN that draws and completes digits."""
