"""Question 1: byte-pair encoding: pre-tokens, training, encoding, decoding, streams, bits per byte."""
