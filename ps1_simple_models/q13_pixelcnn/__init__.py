"""Question 13: A PixelCNN that draws and completes digits."""
