"""What needs gradients, and so torch (the extra `train`). No IR here; import its modules where they are used only."""
