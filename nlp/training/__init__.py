"""From public sets to the model that ships: `python -m training`, measured by `python -m training.evaluate`."""
