"""One results.json in the forms that others read: JUnit, CSV, Canvas, Markdown and an HTML page a student.

What is written here may reach students, so it is made of what a result holds for them: names, verdicts, points,
messages, and their own plots and words. Hidden code, inputs, expected values and the names of known mistakes are not
in it.
"""
