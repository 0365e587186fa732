"""Where services meet databases, brokers and the post."""
