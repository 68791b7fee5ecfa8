"""Rules of module 5, networking for distributed AI: connections, collectives, brokers, and who may reach a port."""
