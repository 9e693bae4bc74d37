"""What the student's local check and the grader share: inputs, evidence, judges, diagnosis.

One piece of code serves both sides, so a local check never disagrees with a grade about the same evidence.
"""
