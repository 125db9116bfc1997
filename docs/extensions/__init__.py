"""Extensions of Sphinx for this site: pages made from the program, docstrings as they are written."""
