"""One module for each group of commands. A command parses, calls the parts, and reports; it decides nothing."""
