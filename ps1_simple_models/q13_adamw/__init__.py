"""Question 13: AdamW, a schedule and clipping."""
