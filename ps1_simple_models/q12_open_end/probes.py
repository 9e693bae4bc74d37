"""Question 12: the open end, graded by a person."""

from autograder.probes import Question

question = Question(
    title="An open end",
    lecture="none beyond the questions that you use",
    aim="Ask a question of one's own, predict, measure honestly and explain; the set's only question without an answer.",
    manual_points=6,
    own_minutes=45,
    rubric=[
        "1 point: one thing is changed, and it is said what is kept.",
        "1 point: the prediction is a number, has a reason, and was typed before the measurement.",
        "2 points: measured on held-out data, with an error bar that fits (paired, or over seeds); 1 if one of the two is missing.",
        "1 point: one figure or table that shows the finding, with labels.",
        "1 point: the explanation fits the numbers, and says what they do not show. A wrong prediction loses nothing.",
    ],
)
