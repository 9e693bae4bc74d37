"""Question 3: initial weights, RMSNorm and its gradient, gated units, cross-entropy."""
