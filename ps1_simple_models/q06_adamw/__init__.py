"""Question 6: AdamW, a schedule and clipping."""
