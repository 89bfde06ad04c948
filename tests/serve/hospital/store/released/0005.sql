BEGIN TRANSACTION;
CREATE TABLE hospital_accounts (
	id INTEGER NOT NULL, 
	name VARCHAR(40) NOT NULL, 
	password TEXT NOT NULL, 
	role VARCHAR(12) NOT NULL, 
	enabled INTEGER NOT NULL, 
	changed_at VARCHAR(32) NOT NULL, identity VARCHAR(64), 
	CONSTRAINT hospital_accounts_pkey PRIMARY KEY (id), 
	CONSTRAINT hospital_accounts_hospital_accounts_role_check_check CHECK (role IN ('reader', 'engineer', 'admin')), 
	CONSTRAINT hospital_accounts_hospital_accounts_enabled_check_check CHECK (enabled IN (0, 1)), 
	CONSTRAINT hospital_accounts_name_key UNIQUE (name)
);
INSERT INTO "hospital_accounts" VALUES(1,'ann','$argon2id$v=19$m=65536,t=3,p=4$y19ikRXo+dFmmBsaSuxmeg$x/0ApwHOd26GD48Oz1fS9qnbTGbW86hvdpMQXiyejZY','reader',1,'2026-11-29T17:27:42.114+00:00',NULL);
INSERT INTO "hospital_accounts" VALUES(2,'bea','','engineer',1,'2026-11-30T00:51:25.702+00:00','abababababababababababababababababababababababababababababababab');
CREATE TABLE hospital_audit (
	id INTEGER NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	who VARCHAR(80) NOT NULL, 
	address VARCHAR(64) NOT NULL, 
	studies TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	success INTEGER NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	CONSTRAINT hospital_audit_pkey PRIMARY KEY (id)
);
INSERT INTO "hospital_audit" VALUES(1,'2026-11-29T17:27:42.152+00:00','account','cli:boss','','','added ann as reader',1,'5000a9ff41a5b54944a3121e1e3500625c4636be64c73c979faf3c8b410b83ab');
INSERT INTO "hospital_audit" VALUES(2,'2026-11-29T17:27:42.182+00:00','token','cli:boss','','','added for ann: results, 365 days',1,'50635a604272229cf4847dca7653ad6a5979e49e3c8c4b9b65965f76964d7c01');
INSERT INTO "hospital_audit" VALUES(3,'2026-11-29T17:27:42.209+00:00','outcome','cli:boss','','1','entered',1,'b5e1859151a7220db36020692a9acf9e6ea51182513acbf6393a006f4980efdc');
INSERT INTO "hospital_audit" VALUES(4,'2026-11-30T00:51:25.724+00:00','account','bea','10.0.0.7','','added bea as engineer, says the provider',1,'c3a1714b378935c5a6f1947265f3722574fc402bfb0d209520f11cf63602bdf5');
CREATE TABLE hospital_audit_end (
	id INTEGER NOT NULL, 
	last INTEGER NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	sent INTEGER NOT NULL, 
	CONSTRAINT hospital_audit_end_pkey PRIMARY KEY (id)
);
INSERT INTO "hospital_audit_end" VALUES(1,4,'c3a1714b378935c5a6f1947265f3722574fc402bfb0d209520f11cf63602bdf5',0);
CREATE TABLE hospital_commitments (
	request VARCHAR(64) NOT NULL, 
	delivery INTEGER NOT NULL, 
	sop_class VARCHAR(64) NOT NULL, 
	sop_uid VARCHAR(64) NOT NULL, 
	kept INTEGER, 
	answer VARCHAR(80) NOT NULL, 
	CONSTRAINT hospital_commitments_pkey PRIMARY KEY (request), 
	CONSTRAINT hospital_commitments_hospital_commitments_kept_check_check CHECK (kept IN (0, 1)), 
	CONSTRAINT hospital_commitments_delivery_fkey FOREIGN KEY(delivery) REFERENCES hospital_deliveries (id)
);
INSERT INTO "hospital_commitments" VALUES('2.25.7',1,'1.2.840.10008.5.1.4.1.1.7','2.25.8',NULL,'');
CREATE TABLE hospital_deliveries (
	id INTEGER NOT NULL, 
	study INTEGER NOT NULL, 
	revision INTEGER NOT NULL, 
	peer VARCHAR(40) NOT NULL, 
	file VARCHAR(200) NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	attempts INTEGER NOT NULL, 
	answer VARCHAR(80) NOT NULL, 
	changed_at VARCHAR(32) NOT NULL, 
	CONSTRAINT hospital_deliveries_pkey PRIMARY KEY (id), 
	CONSTRAINT hospital_deliveries_hospital_deliveries_state_check_check CHECK (state IN ('waiting', 'sent', 'withheld', 'failed')), 
	CONSTRAINT hospital_deliveries_study_fkey FOREIGN KEY(study) REFERENCES hospital_studies (id), 
	CONSTRAINT hospital_deliveries_study_revision_peer_file_key UNIQUE (study, revision, peer, file)
);
INSERT INTO "hospital_deliveries" VALUES(1,1,1,'pacs','scan-1/dicom/capture.dcm','waiting',0,'','2026-11-30T01:00:00.000+00:00');
CREATE TABLE hospital_events (
	id INTEGER NOT NULL, 
	study INTEGER, 
	at VARCHAR(32) NOT NULL, 
	kind VARCHAR(40) NOT NULL, 
	revision INTEGER NOT NULL, 
	who VARCHAR(80) NOT NULL, 
	detail TEXT NOT NULL, 
	CONSTRAINT hospital_events_pkey PRIMARY KEY (id), 
	CONSTRAINT hospital_events_study_fkey FOREIGN KEY(study) REFERENCES hospital_studies (id)
);
INSERT INTO "hospital_events" VALUES(1,1,'2026-11-29T17:09:31.943+00:00','received',1,'','');
INSERT INTO "hospital_events" VALUES(2,1,'2026-11-29T17:09:32.012+00:00','settled',1,'','');
INSERT INTO "hospital_events" VALUES(3,1,'2026-11-29T17:09:32.029+00:00','predicted',1,'','');
INSERT INTO "hospital_events" VALUES(4,2,'2026-11-29T17:09:32.045+00:00','received',1,'','');
CREATE TABLE hospital_instances (
	id INTEGER NOT NULL, 
	study INTEGER NOT NULL, 
	sop_uid VARCHAR(64) NOT NULL, 
	series_uid VARCHAR(64) NOT NULL, 
	sop_class VARCHAR(64) NOT NULL, 
	syntax VARCHAR(64) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	n_bytes BIGINT NOT NULL, 
	file VARCHAR(64) NOT NULL, 
	sender VARCHAR(40) NOT NULL, 
	received_at VARCHAR(32) NOT NULL, 
	CONSTRAINT hospital_instances_pkey PRIMARY KEY (id), 
	CONSTRAINT hospital_instances_study_fkey FOREIGN KEY(study) REFERENCES hospital_studies (id), 
	CONSTRAINT hospital_instances_study_sop_uid_key UNIQUE (study, sop_uid)
);
INSERT INTO "hospital_instances" VALUES(1,1,'1.1.1.1','1.1.1','1.2','1.2','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd',5,'1.dcm','CT1','2026-11-29T17:09:31.956+00:00');
INSERT INTO "hospital_instances" VALUES(2,1,'1.1.1.2','1.1.1','1.2','1.2','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd',5,'2.dcm','CT1','2026-11-29T17:09:31.985+00:00');
INSERT INTO "hospital_instances" VALUES(3,2,'1.2.1.1','1.2.1','1.2','1.2','dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd',5,'1.dcm','CT1','2026-11-29T17:09:32.046+00:00');
CREATE TABLE hospital_jobs (
	study INTEGER NOT NULL, 
	state VARCHAR(12) NOT NULL, 
	revision INTEGER NOT NULL, 
	images INTEGER NOT NULL, 
	expected INTEGER, 
	attempts INTEGER NOT NULL, 
	code VARCHAR(12) NOT NULL, 
	message TEXT NOT NULL, 
	model TEXT NOT NULL, 
	pixels INTEGER NOT NULL, 
	changed_at VARCHAR(32) NOT NULL, 
	CONSTRAINT hospital_jobs_pkey PRIMARY KEY (study), 
	CONSTRAINT hospital_jobs_hospital_jobs_state_check_check CHECK (state IN ('received', 'settled', 'read', 'predicted', 'delivered', 'refused', 'failed')), 
	CONSTRAINT hospital_jobs_hospital_jobs_pixels_check_check CHECK (pixels IN (0, 1)), 
	CONSTRAINT hospital_jobs_study_fkey FOREIGN KEY(study) REFERENCES hospital_studies (id)
);
INSERT INTO "hospital_jobs" VALUES(1,'predicted',1,2,NULL,0,'','','',1,'2026-11-29T17:09:32.028+00:00');
INSERT INTO "hospital_jobs" VALUES(2,'received',1,1,NULL,0,'','','',1,'2026-11-29T17:09:32.046+00:00');
CREATE TABLE hospital_outcomes (
	id INTEGER NOT NULL, 
	study INTEGER NOT NULL, 
	blood INTEGER NOT NULL, 
	grade VARCHAR(8) NOT NULL, 
	seen_on VARCHAR(10) NOT NULL, 
	who VARCHAR(80) NOT NULL, 
	at VARCHAR(32) NOT NULL, 
	CONSTRAINT hospital_outcomes_pkey PRIMARY KEY (id), 
	CONSTRAINT hospital_outcomes_hospital_outcomes_blood_check_check CHECK (blood IN (0, 1)), 
	CONSTRAINT hospital_outcomes_study_fkey FOREIGN KEY(study) REFERENCES hospital_studies (id)
);
INSERT INTO "hospital_outcomes" VALUES(1,1,1,'PH1','2026-01-31','cli:boss','2026-11-29T17:27:42.208+00:00');
CREATE TABLE hospital_results (
	id INTEGER NOT NULL, 
	study INTEGER NOT NULL, 
	revision INTEGER NOT NULL, 
	scan VARCHAR(120) NOT NULL, 
	status VARCHAR(12) NOT NULL, 
	code VARCHAR(12) NOT NULL, 
	probability FLOAT, 
	model VARCHAR(64) NOT NULL, 
	made_at VARCHAR(32) NOT NULL, participant VARCHAR(80) DEFAULT '' NOT NULL, scanner VARCHAR(80) DEFAULT '' NOT NULL, site VARCHAR(40) DEFAULT '' NOT NULL, last_slice_at VARCHAR(32) DEFAULT '' NOT NULL, simulated INTEGER DEFAULT '0' NOT NULL, signs TEXT DEFAULT '{}' NOT NULL, 
	CONSTRAINT hospital_results_pkey PRIMARY KEY (id), 
	CONSTRAINT hospital_results_study_fkey FOREIGN KEY(study) REFERENCES hospital_studies (id), 
	CONSTRAINT hospital_results_study_revision_scan_key UNIQUE (study, revision, scan)
);
INSERT INTO "hospital_results" VALUES(1,1,1,'scan-1','done','',0.25,'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm','2026-11-29T17:09:32.029+00:00','sub-1','GE REVOLUTION CT','CT1','2026-11-29T17:09:31.985+00:00',1,'{"aspects": 7.0}');
CREATE TABLE hospital_schema (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT hospital_schema_pkc PRIMARY KEY (version_num)
);
INSERT INTO "hospital_schema" VALUES('0005');
CREATE TABLE hospital_sessions (
	id INTEGER NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	account INTEGER NOT NULL, 
	began BIGINT NOT NULL, 
	seen BIGINT NOT NULL, 
	CONSTRAINT hospital_sessions_pkey PRIMARY KEY (id), 
	CONSTRAINT hospital_sessions_account_fkey FOREIGN KEY(account) REFERENCES hospital_accounts (id), 
	CONSTRAINT hospital_sessions_digest_key UNIQUE (digest)
);
CREATE TABLE hospital_studies (
	id INTEGER NOT NULL, 
	name VARCHAR(32) NOT NULL, 
	study_uid VARCHAR(64) NOT NULL, 
	patient_id VARCHAR(64) NOT NULL, 
	patient_name VARCHAR(324) NOT NULL, 
	accession VARCHAR(16) NOT NULL, 
	created_at VARCHAR(32) NOT NULL, 
	CONSTRAINT hospital_studies_pkey PRIMARY KEY (id), 
	CONSTRAINT hospital_studies_name_key UNIQUE (name), 
	CONSTRAINT hospital_studies_study_uid_key UNIQUE (study_uid)
);
INSERT INTO "hospital_studies" VALUES(1,'00000000000000000000000000000001','1.1','P1','N1','A1','2026-11-29T17:09:31.940+00:00');
INSERT INTO "hospital_studies" VALUES(2,'00000000000000000000000000000002','1.2','P2','N2','A2','2026-11-29T17:09:32.044+00:00');
CREATE TABLE hospital_tokens (
	id INTEGER NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	account INTEGER NOT NULL, 
	label VARCHAR(40) NOT NULL, 
	scope VARCHAR(12) NOT NULL, 
	ends BIGINT NOT NULL, 
	made_at VARCHAR(32) NOT NULL, 
	CONSTRAINT hospital_tokens_pkey PRIMARY KEY (id), 
	CONSTRAINT hospital_tokens_hospital_tokens_scope_check_check CHECK (scope IN ('results', 'studies', 'metrics')), 
	CONSTRAINT hospital_tokens_account_fkey FOREIGN KEY(account) REFERENCES hospital_accounts (id), 
	CONSTRAINT hospital_tokens_digest_key UNIQUE (digest)
);
INSERT INTO "hospital_tokens" VALUES(1,'198ac02dbb49fc4ae7149cd16bdeaa85ae724161581efcd82ab84bf48a97ebf5',1,'PACS','results',1827509262,'2026-11-29T17:27:42.180+00:00');
CREATE INDEX hospital_studies_accession_ix ON hospital_studies (accession);
CREATE INDEX hospital_studies_patient_id_ix ON hospital_studies (patient_id);
CREATE INDEX hospital_deliveries_state_ix ON hospital_deliveries (state);
CREATE INDEX hospital_events_kind ON hospital_events (kind, id);
CREATE INDEX hospital_events_study_ix ON hospital_events (study);
CREATE INDEX hospital_jobs_state_ix ON hospital_jobs (state);
CREATE TRIGGER hospital_events_update BEFORE UPDATE ON hospital_events BEGIN SELECT RAISE(ABORT, 'events are only added'); END;
CREATE TRIGGER hospital_events_delete BEFORE DELETE ON hospital_events BEGIN SELECT RAISE(ABORT, 'events are only added'); END;
CREATE INDEX hospital_outcomes_study_ix ON hospital_outcomes (study);
CREATE TRIGGER hospital_audit_update BEFORE UPDATE ON hospital_audit BEGIN SELECT RAISE(ABORT, 'rows are only added'); END;
CREATE TRIGGER hospital_audit_delete BEFORE DELETE ON hospital_audit BEGIN SELECT RAISE(ABORT, 'rows are only added'); END;
CREATE TRIGGER hospital_outcomes_update BEFORE UPDATE ON hospital_outcomes BEGIN SELECT RAISE(ABORT, 'rows are only added'); END;
CREATE TRIGGER hospital_outcomes_delete BEFORE DELETE ON hospital_outcomes BEGIN SELECT RAISE(ABORT, 'rows are only added'); END;
CREATE UNIQUE INDEX hospital_accounts_identity_ix ON hospital_accounts (identity);
CREATE INDEX hospital_commitments_delivery_ix ON hospital_commitments (delivery);
COMMIT;
