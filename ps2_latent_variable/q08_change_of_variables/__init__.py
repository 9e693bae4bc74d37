"""Question 8: change of variables; coupling layers, actnorm and splines."""
