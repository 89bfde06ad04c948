"""Files and servers: archives, NIfTI, DICOMweb, writing CT images."""
