"""Who may use the console: its certificate, accounts, passwords, set-up links and signed-in browsers."""
