/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Roles of people and what each may do.  A role is a name for a set of
 * permissions, and code asks for a permission, never for a role:
 *
 *   if (!(permissions & CAM_PERMIT_CAMERAS_WRITE)) ...
 *
 * No role and an unknown one permit nothing.  "*" is every permission there
 * is, those of later versions included.
 */

#ifndef CAM_ROLE_H
#define CAM_ROLE_H

#include <stddef.h>
#include <stdint.h>

#define CAM_PERMIT_CAMERAS_READ       0x0001
#define CAM_PERMIT_CAMERAS_WRITE      0x0002
#define CAM_PERMIT_STREAMS_VIEW       0x0004
#define CAM_PERMIT_RECORDINGS_READ    0x0008
#define CAM_PERMIT_RECORDINGS_DELETE  0x0010
#define CAM_PERMIT_TOKENS_MANAGE      0x0020
#define CAM_PERMIT_ANALYTICS_READ     0x0040
#define CAM_PERMIT_ALERTS_MANAGE      0x0080
#define CAM_PERMIT_USERS_MANAGE       0x0100
#define CAM_PERMIT_AUDIT_READ         0x0200
#define CAM_PERMIT_ALL                0x03ff


/* as the type user_role of the database has them; zeroed memory is no role */
typedef enum {
    CAM_ROLE_NONE = 0,
    CAM_ROLE_ADMIN,
    CAM_ROLE_OPERATOR,
    CAM_ROLE_VIEWER,
    CAM_ROLE_API_ONLY
} cam_role_e;


/* CAM_ROLE_NONE when it is no role's name */
cam_role_e cam_role_parse(const char *name, size_t len);
/* "admin", "operator", "viewer", "api_only"; "" for any other value */
const char *cam_role_name(cam_role_e role);
/* what somebody of that role may do after a login: nothing, for api_only */
uint32_t cam_role_permissions(cam_role_e role);

/* the bits of "cameras:read" and so on, or of "*"; 0 when it is unknown */
uint32_t cam_permission_parse(const char *name, size_t len);
/* takes a permission out of the set and answers its name, NULL when the set is
   empty; a whole set is "*" */
const char *cam_permission_next(uint32_t *set);


#endif /* CAM_ROLE_H */
