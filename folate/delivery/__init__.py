"""Messages leave the machine here: to a file, a webhook, a mailbox. The ledger sees to it that each goes once."""
