"""Train Folate's model: the sets it learns from, the pack that travels to a GPU, the training itself."""
