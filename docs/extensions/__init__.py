"""What the build of the site needs beside Sphinx: pages made of the program, docstrings as they are written."""
