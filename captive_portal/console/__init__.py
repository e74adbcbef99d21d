"""IT's and the auditor's pages: HTML over plain forms, every route with a declared permission."""
