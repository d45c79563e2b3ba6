"""What came out of a build: `summary` collects it as plain values, `text` writes it on one screen."""
