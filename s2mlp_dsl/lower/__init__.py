"""IR to torch source to torch.nn."""
