"""The lab: real nftables, dnsmasq and DHCP clients in network namespaces."""
