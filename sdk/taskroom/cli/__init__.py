"""The command ``taskroom``: one file for each of its commands, and the parts that they share."""
