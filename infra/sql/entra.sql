-- Makes the app's managed identity a role of the server, and a member of registry_app. Only Azure has the function
-- that ties a role to an identity, and only in the database `postgres`: run it there after roles.sql, on port 5432, as
-- a Microsoft Entra administrator. It reads two settings of the session:
--   PGOPTIONS="-c registry.app_name=NAME_OF_THE_IDENTITY -c registry.app_object_id=ITS_OBJECT_ID"
-- The name is the user in the app's REGISTRY_DATABASE_URL. Running it again changes nothing. An identity that was
-- made anew has another object id: drop the role of the old one first.

BEGIN;

SELECT pgaadauth_create_principal_with_oid(
    current_setting('registry.app_name'), current_setting('registry.app_object_id'), 'service', false, false)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_setting('registry.app_name'));

DO $$
BEGIN
    EXECUTE format('GRANT registry_app TO %I', current_setting('registry.app_name'));
END $$;

COMMIT;
