"""Who may be online until when: devices, acceptances and grants."""
