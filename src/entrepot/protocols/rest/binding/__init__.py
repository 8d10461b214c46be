"""Where each part of an operation stands in an HTTP message: from binding data (`data`) to a `Binding` (`bound`)."""
