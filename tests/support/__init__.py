"""What tests share: real servers, our own programs, waiting, and a network that misbehaves."""
