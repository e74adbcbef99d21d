"""All SQLAlchemy of the product: engine, unit of work, models, queries and the change feed."""
