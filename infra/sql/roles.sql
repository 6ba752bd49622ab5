-- The registry's two roles in the present database. registry_owner owns all objects; who deploys is a member of it,
-- and migrates with `options=-c role=registry_owner`. registry_app may do what the running registry does, and no more;
-- its identity is a member of this role alone.
--
-- Run it on the database itself (port 5432, not PgBouncer), as the owner of the database or a member of that role, who
-- may make roles: before the first migration, which needs registry_owner, and after each one. What a migration makes
-- is at the registry's disposal at once; a run after it takes back what of that is never used.
-- Running it again changes nothing. PostgreSQL 14 or newer.

BEGIN;

DO $$
DECLARE
    name text;
    here text := quote_ident(current_database());
BEGIN
    PERFORM pg_advisory_xact_lock(8243108395577799289); -- that of migrations: neither runs while the other does
    FOREACH name IN ARRAY '{registry_owner, registry_app}'::text[] LOOP
        IF to_regrole(name) IS NULL THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
    IF EXISTS (SELECT FROM pg_namespace WHERE nspname = 'registry' AND nspowner <> 'registry_owner'::regrole) THEN
        RAISE EXCEPTION 'the schema "registry" belongs to another role than registry_owner'
            USING HINT = 'Hand over what there is: REASSIGN OWNED BY that role TO registry_owner.';
    END IF;
    IF NOT pg_has_role(session_user, 'registry_owner', 'USAGE') THEN
        GRANT registry_owner TO SESSION_USER;
    END IF;
    EXECUTE 'GRANT CONNECT, CREATE ON DATABASE ' || here || ' TO registry_owner';
    EXECUTE 'GRANT CONNECT ON DATABASE ' || here || ' TO registry_app';
    -- A temporary table would stay with PgBouncer's connection, for whoever has it next.
    EXECUTE 'REVOKE TEMPORARY ON DATABASE ' || here || ' FROM PUBLIC';
END $$;

-- The record of migrations is kept in this schema; only who migrates has business there.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO registry_owner;

SET LOCAL ROLE registry_owner;

-- What migrations make from now on, without another run: the code that still runs may meet it the same moment.
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO registry_app;
ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO registry_app;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO registry_app;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO registry_app;

-- What is there already.
DO $$
DECLARE
    withheld record;
BEGIN
    IF to_regnamespace('registry') IS NULL THEN
        RETURN;
    END IF;
    GRANT USAGE ON SCHEMA registry TO registry_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA registry TO registry_app;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA registry TO registry_app;
    REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA registry FROM PUBLIC;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA registry TO registry_app;
    -- What no statement of the registry does. A statement that is given up is withheld one release later: the code
    -- before still runs it during the deployment.
    FOR withheld IN
        SELECT never.privilege, known.oid::regclass AS relation
        FROM (VALUES
            ('INSERT', '{ingestion_rule_set, policy_set, scrub_pace, trail_end}'::text[]),
            ('UPDATE', '{artifact_changes, commits, duplicated_content, members, outbox, reconciled, run_changes,
                trail, trail_waiting}'),
            ('DELETE', '{api_keys, artifact_figures, artifact_totals, artifacts, assets, build_artifacts, byte_days,
                error_days, holds, ingestion_rule_set, integrity_days, left_locations, members, policy_failures,
                policy_set, resumes, run_totals, runs, scrub_pace, set_aside_messages, steps, trail_days, trail_end,
                trail_months, trail_shards}')
        ) AS never (privilege, tables)
        JOIN pg_class AS known ON known.relname = ANY (never.tables)
        WHERE known.relnamespace = 'registry'::regnamespace AND known.relkind = 'r'
        UNION ALL
        -- Views are for reading: they act in their owner's name. The record of migrations is nobody else's.
        SELECT 'INSERT, UPDATE, DELETE', known.oid::regclass
        FROM pg_class AS known
        WHERE known.relowner = 'registry_owner'::regrole
          AND (known.relnamespace = 'registry'::regnamespace AND known.relkind = 'v'
               OR known.relnamespace = 'public'::regnamespace AND known.relkind = 'r')
    LOOP
        EXECUTE format('REVOKE %s ON %s FROM registry_app', withheld.privilege, withheld.relation);
    END LOOP;
END $$;

RESET ROLE;

-- Who lacks a right to give gets a warning only, which nobody reads in a deployment.
DO $$
BEGIN
    IF NOT has_database_privilege('registry_owner', current_database(), 'CREATE')
        OR NOT has_schema_privilege('registry_owner', 'public', 'CREATE')
        OR has_database_privilege('registry_app', current_database(), 'TEMPORARY')
        OR has_schema_privilege('registry_app', 'public', 'USAGE')
    THEN
        RAISE EXCEPTION 'the rights on database % were not changed', current_database()
            USING HINT = 'Run this as the owner of the database, or as a member of that role.';
    END IF;
END $$;

COMMIT;
