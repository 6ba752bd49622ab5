-- name: describe(schema, name)^
-- What kind of relation a table is, whether other tables inherit from it, and the columns of its
-- primary key in their order, each with whether its values are compared by a collation.
SELECT
    relation.relkind::text AS kind,
    relation.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = relation.oid) AS is_inherited,
    ARRAY(
        SELECT jsonb_build_object('name', part.attname, 'is_collated', part.attcollation <> 0)
        FROM pg_index AS key
        CROSS JOIN unnest(key.indkey::smallint[]) WITH ORDINALITY AS place (number, position)
        JOIN pg_attribute AS part ON part.attrelid = relation.oid AND part.attnum = place.number
        WHERE key.indrelid = relation.oid AND key.indisprimary AND place.position <= key.indnkeyatts
        ORDER BY place.position
    ) AS key_columns
FROM pg_class AS relation
JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
WHERE namespace.nspname = :schema::text AND relation.relname = :name::text;
