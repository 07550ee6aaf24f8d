"""Whether what follows from the log is so - records, names, documents, audit trail - and mending it towards the log."""
