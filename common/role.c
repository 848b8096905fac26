/*
 * Copyright (C) The nginx camera platform authors
 */

#include <string.h>

#include "role.h"


typedef struct {
    const char  *name;
    uint32_t     permissions;
} cam_role_t;


static int cam_role_same(const char *known, const char *name, size_t len);


#define CAM_ROLES        (sizeof(cam_roles) / sizeof(cam_roles[0]))
#define CAM_PERMISSIONS  (sizeof(cam_permissions) / sizeof(cam_permissions[0]))

static const cam_role_t  cam_roles[] = {
    [CAM_ROLE_NONE] = { "", 0 },

    [CAM_ROLE_ADMIN] = { "admin", CAM_PERMIT_ALL },

    [CAM_ROLE_OPERATOR] = { "operator",
        CAM_PERMIT_CAMERAS_READ|CAM_PERMIT_CAMERAS_WRITE
        |CAM_PERMIT_STREAMS_VIEW
        |CAM_PERMIT_RECORDINGS_READ|CAM_PERMIT_RECORDINGS_DELETE
        |CAM_PERMIT_ANALYTICS_READ|CAM_PERMIT_ALERTS_MANAGE },

    [CAM_ROLE_VIEWER] = { "viewer",
        CAM_PERMIT_CAMERAS_READ|CAM_PERMIT_STREAMS_VIEW
        |CAM_PERMIT_RECORDINGS_READ },

    [CAM_ROLE_API_ONLY] = { "api_only", 0 }
};

/* the bit of each is its place */

static const char  *cam_permissions[] = {
    "cameras:read", "cameras:write", "streams:view", "recordings:read",
    "recordings:delete", "tokens:manage", "analytics:read", "alerts:manage",
    "users:manage", "audit:read"
};


cam_role_e
cam_role_parse(const char *name, size_t len)
{
    unsigned  i;

    for (i = CAM_ROLE_NONE + 1; i < CAM_ROLES; i++) {
        if (cam_role_same(cam_roles[i].name, name, len)) {
            return (cam_role_e) i;
        }
    }

    return CAM_ROLE_NONE;
}


static int
cam_role_same(const char *known, const char *name, size_t len)
{
    return strlen(known) == len && memcmp(known, name, len) == 0;
}


const char *
cam_role_name(cam_role_e role)
{
    return (unsigned) role < CAM_ROLES ? cam_roles[role].name : "";
}


uint32_t
cam_role_permissions(cam_role_e role)
{
    return (unsigned) role < CAM_ROLES ? cam_roles[role].permissions : 0;
}


uint32_t
cam_permission_parse(const char *name, size_t len)
{
    unsigned  i;

    if (cam_role_same("*", name, len)) {
        return CAM_PERMIT_ALL;
    }

    for (i = 0; i < CAM_PERMISSIONS; i++) {
        if (cam_role_same(cam_permissions[i], name, len)) {
            return 1u << i;
        }
    }

    return 0;
}


const char *
cam_permission_next(uint32_t *set)
{
    unsigned  i;

    if (*set == CAM_PERMIT_ALL) {
        *set = 0;
        return "*";
    }

    for (i = 0; i < CAM_PERMISSIONS; i++) {
        if (*set & 1u << i) {
            *set &= ~(1u << i);
            return cam_permissions[i];
        }
    }

    return NULL;
}
