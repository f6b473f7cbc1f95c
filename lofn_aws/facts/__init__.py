"""Pure parsers: answers of APIs and texts of nodes, in; values of the model, out."""
