BEGIN TRANSACTION;
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
CREATE TABLE hospital_results (
	id INTEGER NOT NULL, 
	study INTEGER NOT NULL, 
	revision INTEGER NOT NULL, 
	scan VARCHAR(120) NOT NULL, 
	status VARCHAR(12) NOT NULL, 
	code VARCHAR(12) NOT NULL, 
	probability FLOAT, 
	model VARCHAR(64) NOT NULL, 
	made_at VARCHAR(32) NOT NULL, 
	CONSTRAINT hospital_results_pkey PRIMARY KEY (id), 
	CONSTRAINT hospital_results_study_fkey FOREIGN KEY(study) REFERENCES hospital_studies (id), 
	CONSTRAINT hospital_results_study_revision_scan_key UNIQUE (study, revision, scan)
);
INSERT INTO "hospital_results" VALUES(1,1,1,'scan-1','done','',0.25,'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm','2026-11-29T17:09:32.029+00:00');
CREATE TABLE hospital_schema (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT hospital_schema_pkc PRIMARY KEY (version_num)
);
INSERT INTO "hospital_schema" VALUES('0001');
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
CREATE INDEX hospital_studies_accession_ix ON hospital_studies (accession);
CREATE INDEX hospital_studies_patient_id_ix ON hospital_studies (patient_id);
CREATE INDEX hospital_deliveries_state_ix ON hospital_deliveries (state);
CREATE INDEX hospital_events_kind ON hospital_events (kind, id);
CREATE INDEX hospital_events_study_ix ON hospital_events (study);
CREATE INDEX hospital_jobs_state_ix ON hospital_jobs (state);
CREATE TRIGGER hospital_events_update BEFORE UPDATE ON hospital_events BEGIN SELECT RAISE(ABORT, 'events are only added'); END;
CREATE TRIGGER hospital_events_delete BEFORE DELETE ON hospital_events BEGIN SELECT RAISE(ABORT, 'events are only added'); END;
COMMIT;
