"""Train Folate's model: the sets it learns from, the pack that travels to a GPU, what ships beside the model."""
