"""What an author wrote, read from files and Python modules into one Declaration.

Here live the YAML reader, the Declaration with the place of every key, the lock on imported
documents, and the child process that imports the author's modules. Nothing here decides what
a declaration means: that is the compiler's.
"""
