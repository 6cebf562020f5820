"""From public sets to the model that ships: `python -m nlp.training`, measured by `python -m nlp.training.evaluate`."""
