/*
 * Copyright (C) The nginx camera platform authors
 */

/*
 * Tests for hostile ring files: a reader refuses each field that lies, and
 * never follows a name out of rings/.
 */

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "ring_fixture.h"

#define SMALL      CAM_RING_SIZE_MIN
#define LINK       "72696e67-2074-6573-7420-63616d657261"
#define FILE_SIZE  (CAM_RING_HEADER + SMALL)

#define field(name)  offsetof(cam_ring_header_t, name)


/* a ring of six frames that a reader may be attached to; behind file is
   nothing, so that a reader that goes too far dies */

static uint8_t   *file;
static uint64_t   good[FILE_SIZE / 8];


static void
make_ring(void)
{
    int                 fd;
    uint64_t            i;
    cam_ring_writer_t  *w;

    w = writer_open(1, SMALL);

    put(w, 0, 100, CAM_FRAME_CONFIG);

    for (i = 1; i < 6; i++) {
        put(w, i, 100, i == 2 ? CAM_FRAME_KEY : 0);
    }

    fd = openat(rings_fd, LINK ".1", O_RDONLY);
    assert_int_equal(read(fd, good, FILE_SIZE), FILE_SIZE);
    close(fd);

    cam_ring_writer_close(w);
}


static void
set(size_t offset, size_t size, uint64_t value)
{
    memcpy(file + offset, &value, size);
}


/* reads a damaged ring to its end; answers what ended it */

static int
outcome(unsigned *frames)
{
    int                 rc;
    cam_frame_t         frame;
    cam_ring_info_t     info;
    cam_ring_reader_t  *r;

    *frames = 0;

    rc = cam_ring_reader_attach(&r, file, FILE_SIZE, -1);

    if (rc != CAM_RING_OK) {
        return rc;
    }

    while ((rc = cam_ring_read(r, &frame, data, sizeof(data)))
           == CAM_RING_OK)
    {
        ++*frames;
        assert_true(*frames < 100);
    }

    assert_int_equal(cam_ring_info(r, &info), CAM_RING_OK);
    cam_ring_reader_close(r);

    return rc;
}


static void
header_fields(void **state)
{
    unsigned  i, frames;

    static const struct {
        size_t    offset, size;
        uint64_t  value;
    } bad[] = {
        { field(magic), 8, 0 },
        { field(magic), 8, CAM_RING_MAGIC + 1 },
        { field(version), 4, 0 },
        { field(version), 4, CAM_RING_VERSION + 1 },
        { field(header_size), 4, 0 },
        { field(header_size), 4, CAM_RING_HEADER + 8 },
        { field(capacity), 4, 0 },
        { field(capacity), 4, 1 },
        { field(capacity), 4, SMALL - 8 },
        { field(capacity), 4, 2 * SMALL },
        { field(capacity), 4, 0xffffffff },
        { field(generation), 8, 0 },
        { field(config[0].size), 8, CAM_RING_CONFIG_MAX + 1 },
        { field(config[0].size), 8, UINT64_MAX },
        { field(config[1].size), 8, CAM_RING_CONFIG_MAX + 1 },
        { field(key_pos), 8, 1 },
        { field(key_pos), 8, 4 },
        { field(key_pos), 8, 8 },
        { field(key_pos), 8, SMALL - 8 },
        { field(key_pos), 8, UINT64_MAX - 1 },
    };

    make_ring();

    memcpy(file, good, FILE_SIZE);
    assert_int_equal(outcome(&frames), CAM_RING_AGAIN);
    assert_int_equal(frames, 4);

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memcpy(file, good, FILE_SIZE);
        set(bad[i].offset, bad[i].size, bad[i].value);

        assert_int_equal(outcome(&frames), CAM_RING_ERROR);
        assert_int_equal(errno, EBADMSG);
        assert_int_equal(frames, 0);
    }
}


static void
head_slots(void **state)
{
    unsigned  frames;

    make_ring();

    memcpy(file, good, FILE_SIZE);
    set(field(key_pos), 8, CAM_RING_NONE);
    assert_int_equal(outcome(&frames), CAM_RING_AGAIN);
    assert_int_equal(frames, 0);

    set(field(head_pos[0]), 8, 12);
    assert_int_equal(outcome(&frames), CAM_RING_ERROR);
    assert_int_equal(errno, EBADMSG);

    /* the other slot is not the one in use */

    set(field(head_pos[0]), 8, 16);
    set(field(head_pos[1]), 8, 12);
    assert_int_equal(outcome(&frames), CAM_RING_AGAIN);
}


/* more records promised than there are, and fewer */

static void
head_that_lies(void **state)
{
    unsigned  frames;

    make_ring();

    memcpy(file, good, FILE_SIZE);
    set(field(head_seq), 8, 1000);
    assert_int_equal(outcome(&frames), CAM_RING_ERROR);
    assert_int_equal(errno, EBADMSG);
    assert_int_equal(frames, 4);

    set(field(head_seq), 8, 4);
    assert_int_equal(outcome(&frames), CAM_RING_AGAIN);
    assert_int_equal(frames, 2);
}


/* the fourth record: each word of it that a reader relies on */

static void
record_fields(void **state)
{
    size_t    record;
    unsigned  i, frames;

    static const struct {
        size_t    offset, size;
        uint64_t  value;
    } bad[] = {
        { 0, 4, 0 },                        /* magic */
        { 0, 4, CAM_RING_PAD },             /* a pad that ends too early */
        { 4, 4, 101 + 8 },                  /* sizes: next record's bytes */
        { 4, 4, SMALL },
        { 4, 4, SMALL / 2 - 40 },
        { 4, 4, 0x7fffffff },
        { 4, 4, 0xffffffff },
        { 4, 4, 0xfffffff8 },
        { 8, 8, 4 },                        /* sequence number, front */
        { 8, 8, UINT64_MAX },
        { 28, 1, CAM_TRACKS },              /* track */
        { 28, 1, 255 },
        { 144, 8, 4 },                      /* sequence number, back */
    };

    make_ring();
    record = CAM_RING_HEADER + 3 * (40 + 104 + 8);

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        memcpy(file, good, FILE_SIZE);
        set(record + bad[i].offset, bad[i].size, bad[i].value);

        assert_int_equal(outcome(&frames), CAM_RING_ERROR);
        assert_int_equal(errno, EBADMSG);
        assert_int_equal(frames, 1);
    }
}


/* the last record that fits anywhere would begin here: no room for its data */

static void
record_at_the_end(void **state)
{
    size_t    room;
    unsigned  frames;

    make_ring();

    for (room = 8; room <= 104; room += 8) {
        memcpy(file, good, FILE_SIZE);
        set(field(key_pos), 8, SMALL - room);
        set(FILE_SIZE - room, 4, CAM_RING_RECORD);

        if (room >= 16) {
            set(FILE_SIZE - room + 4, 4, 57);
            set(FILE_SIZE - room + 8, 8, 2);

        } else {
            set(FILE_SIZE - room + 4, 4, 0);
        }

        assert_int_equal(outcome(&frames), CAM_RING_ERROR);
        assert_int_equal(errno, EBADMSG);
        assert_int_equal(frames, 0);
    }
}


/* a pad may lead to nothing but a record at the ring's start */

static void
pad_after_pad(void **state)
{
    size_t    record;
    unsigned  frames;

    make_ring();

    memcpy(file, good, FILE_SIZE);
    record = CAM_RING_HEADER + 3 * (40 + 104 + 8);
    set(record, 4, CAM_RING_PAD);
    set(record + 4, 4, SMALL - 3 * (40 + 104 + 8));
    set(CAM_RING_HEADER, 4, CAM_RING_PAD);
    set(CAM_RING_HEADER + 4, 4, SMALL);

    assert_int_equal(outcome(&frames), CAM_RING_ERROR);
    assert_int_equal(errno, EBADMSG);
    assert_int_equal(frames, 1);
}


/* a tail beyond everything: never more than one overrun a record */

static void
tail_that_lies(void **state)
{
    unsigned            i;
    cam_frame_t         frame;
    cam_ring_reader_t  *r;

    make_ring();
    memcpy(file, good, FILE_SIZE);

    assert_int_equal(cam_ring_reader_attach(&r, file, FILE_SIZE, -1),
                     CAM_RING_OK);
    set(field(tail), 8, UINT64_MAX);

    assert_int_equal(cam_ring_read(r, &frame, data, sizeof(data)),
                     CAM_RING_OVERRUN);
    assert_int_equal(frame.lost, 4);

    for (i = 0; i < 10; i++) {
        assert_int_equal(next(r), CAM_RING_AGAIN);
    }

    /* nor does a reader go back */

    set(field(tail), 8, 0);
    set(field(head_seq), 8, 3);
    assert_int_equal(next(r), CAM_RING_ERROR);
    assert_int_equal(errno, EBADMSG);

    cam_ring_reader_close(r);
}


static void
short_files(void **state)
{
    int                 fd;
    off_t               size;
    unsigned            i;
    cam_ring_reader_t  *r;

    static const off_t  sizes[] = {
        0, 1, 4096, CAM_RING_HEADER, CAM_RING_HEADER + SMALL - 1,
        CAM_RING_HEADER + SMALL + 1, CAM_RING_HEADER + 2 * SMALL,
        CAM_RING_HEADER + (off_t) CAM_RING_SIZE_MAX + SMALL
    };

    make_ring();

    assert_int_equal(symlinkat(LINK ".1", rings_fd, LINK), 0);
    fd = openat(rings_fd, LINK ".1", O_CREAT | O_RDWR, 0640);
    assert_int_equal(write(fd, good, FILE_SIZE), FILE_SIZE);

    r = reader_open();
    cam_ring_reader_close(r);

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size = sizes[i];
        assert_int_equal(ftruncate(fd, size), 0);
        assert_int_equal(cam_ring_reader_open(&r, rings_fd, camera),
                         CAM_RING_ERROR);
        assert_int_equal(errno, EBADMSG);
    }

    close(fd);
    unlinkat(rings_fd, LINK, 0);
    unlinkat(rings_fd, LINK ".1", 0);
}


/* another camera's file, or another generation's, under our name */

static void
foreign_files(void **state)
{
    int                 fd;
    unsigned            i;
    cam_ring_reader_t  *r;

    static const size_t  fields[] = { field(camera), field(generation) };

    make_ring();
    assert_int_equal(symlinkat(LINK ".1", rings_fd, LINK), 0);

    for (i = 0; i < 2; i++) {
        memcpy(file, good, FILE_SIZE);
        set(fields[i], 1, 77);

        fd = openat(rings_fd, LINK ".1", O_CREAT | O_RDWR, 0640);
        assert_int_equal(write(fd, file, FILE_SIZE), FILE_SIZE);
        close(fd);

        assert_int_equal(cam_ring_reader_open(&r, rings_fd, camera),
                         CAM_RING_ERROR);
        assert_int_equal(errno, EBADMSG);
        unlinkat(rings_fd, LINK ".1", 0);
    }

    unlinkat(rings_fd, LINK, 0);
}


static void
hostile_links(void **state)
{
    unsigned            i;
    cam_ring_reader_t  *r;

    static const char *const  targets[] = {
        "/etc/passwd",
        "../" LINK ".1",
        "./" LINK ".1",
        LINK,
        LINK ".",
        LINK ".0",
        LINK ".01",
        LINK ".-1",
        LINK ".1x",
        LINK ".1.link",
        LINK ".18446744073709551616",
        LINK ".99999999999999999999",
        LINK ".11111111111111111111111111111111",
        "00000000-0000-0000-0000-000000000000.1",
    };

    for (i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        assert_int_equal(symlinkat(targets[i], rings_fd, LINK), 0);
        assert_int_equal(cam_ring_reader_open(&r, rings_fd, camera),
                         CAM_RING_ERROR);
        assert_int_equal(errno, EBADMSG);
        assert_int_equal(unlinkat(rings_fd, LINK, 0), 0);
    }
}


/* the right name, and behind it no regular file: refused without waiting */

static void
not_a_file(void **state)
{
    int                 s;
    struct sockaddr_un  addr;
    cam_ring_reader_t  *r;

    assert_int_equal(symlinkat(LINK ".1", rings_fd, LINK), 0);

    assert_int_equal(symlinkat("/dev/zero", rings_fd, LINK ".1"), 0);
    assert_int_equal(cam_ring_reader_open(&r, rings_fd, camera),
                     CAM_RING_ERROR);
    assert_int_equal(errno, ELOOP);
    unlinkat(rings_fd, LINK ".1", 0);

    assert_int_equal(mkfifoat(rings_fd, LINK ".1", 0640), 0);
    assert_int_equal(cam_ring_reader_open(&r, rings_fd, camera),
                     CAM_RING_ERROR);
    assert_int_equal(errno, EBADMSG);
    unlinkat(rings_fd, LINK ".1", 0);

    assert_int_equal(mkdirat(rings_fd, LINK ".1", 0750), 0);
    assert_int_equal(cam_ring_reader_open(&r, rings_fd, camera),
                     CAM_RING_ERROR);
    unlinkat(rings_fd, LINK ".1", AT_REMOVEDIR);

    memset(&addr, 0, sizeof(addr));
    addr.sun_family = AF_UNIX;
    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s", rings, LINK ".1");
    s = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(s, (struct sockaddr *) &addr, sizeof(addr)), 0);
    assert_int_equal(cam_ring_reader_open(&r, rings_fd, camera),
                     CAM_RING_ERROR);
    close(s);
    unlinkat(rings_fd, LINK ".1", 0);

    unlinkat(rings_fd, LINK, 0);
}


/* where the link should be is a file */

static void
no_link_at_all(void **state)
{
    cam_ring_reader_t  *r;

    close(openat(rings_fd, LINK, O_CREAT | O_RDWR, 0640));
    assert_int_equal(cam_ring_reader_open(&r, rings_fd, camera),
                     CAM_RING_ERROR);
    assert_int_equal(errno, EINVAL);
    unlinkat(rings_fd, LINK, 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        RING_TEST(header_fields),
        RING_TEST(head_slots),
        RING_TEST(head_that_lies),
        RING_TEST(record_fields),
        RING_TEST(record_at_the_end),
        RING_TEST(pad_after_pad),
        RING_TEST(tail_that_lies),
        RING_TEST(short_files),
        RING_TEST(foreign_files),
        RING_TEST(hostile_links),
        RING_TEST(not_a_file),
        RING_TEST(no_link_at_all),
    };

    file = mmap(NULL, FILE_SIZE + 4096, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (file == MAP_FAILED
        || mprotect(file + FILE_SIZE, 4096, PROT_NONE) == -1)
    {
        return 1;
    }

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
