"""Training of Folate's model: its data sets, the pack for a GPU, what ships beside the model."""
