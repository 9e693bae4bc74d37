"""Autograder for problem sets on deep generative models: build, prove, grade, report."""

__version__ = "0.1.0"
