"""The actions that run on the action server: short looks into the knowledge, told in messages."""
