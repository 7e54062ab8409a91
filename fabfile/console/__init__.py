"""Between `fab` and the user's terminal: the standard streams, and every exception as a sentence."""
