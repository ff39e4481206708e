/* SPDX-License-Identifier: MIT */
/*
 * Clients are people and scripts on this machine, let in by the mode of the socket. Still nothing
 * they do may hold the server up: their number, the length of a request, the time until it is
 * there and the time that a reply is not taken are all bounded, and one slow reader costs the
 * memory of its reply and nothing else. This is not the packet path, so libevent's buffers do the
 * work.
 *
 * A reload may move the socket: a listener is replaced and clients stay, as they hang on the base
 * and not on the listener. Privileges are gone by then, so the new folder must be one that we may
 * write to.
 *
 * A client's session goes through reading, busy (a command is at work) and writing. In busy the
 * command holds the request, so a client that hangs up meanwhile is noticed when the reply is
 * written.
 *
 * The socket is opened under root and outlives the drop of privileges. A path is made free by
 * asking it: if nobody answers there, what lies there is left over from a server that was killed.
 *
 * Refused: a protocol with lengths and types. One line in, text out: `socat` will do for a client.
 */
#include "admin/control.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/command.h"
#include "base/log.h"

/* Seconds until a request is there: privlinkctl sends it at once. */
#define READ_S 5
/* Seconds without taking any of a reply: a pager may hold it up, but not for ever. */
#define WRITE_S 60

enum session_state {
	SESSION_FREE,
	SESSION_READING,
	SESSION_BUSY,
	SESSION_WRITING,
};

struct session {
	enum session_state state;
	struct control *control;
	struct bufferevent *stream;
	struct request request;
	char line[CONTROL_REQUEST_MAX + 1];
};

struct control {
	struct control_parts parts;
	struct event_base *base;
	struct evconnlistener *listener;
	unsigned sessions;
	struct session session[CONTROL_CLIENTS_MAX];
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
};

static int fill_address(const char *path, struct sockaddr_un *ret, struct err *err)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(ret->sun_path))
		return err_set(err, "control socket %s: the path is too long", path);
	strcpy(ret->sun_path, path);
	return 0;
}

/* Removes what is left of a server that is gone. -1 if one lives, or if it is no socket. */
static int make_room(const struct sockaddr_un *address, struct err *err)
{
	struct stat st;
	int fd, answer;

	if (lstat(address->sun_path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return err_set(err,
			       "control socket %s: there is something else; remove it or "
			       "choose another path",
			       address->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, "control socket: %s", strerror(errno));
	answer = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	/* EAGAIN: it listens, and its queue is full. */
	answer = answer == 0 || errno == EAGAIN;
	close(fd);
	if (answer)
		return err_set(err,
			       "control socket %s: another server listens there; stop it or "
			       "choose another path",
			       address->sun_path);
	unlink(address->sun_path);
	return 0;
}

int control_open(const char *path, uid_t uid, gid_t gid, int *ret_fd, struct err *err)
{
	struct sockaddr_un address;
	mode_t mask;
	int fd, bound;

	if (fill_address(path, &address, err) < 0 || make_room(&address, err) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err, "control socket: %s", strerror(errno));
	/*
	 * By umask and not by chmod afterwards: there must be no moment at which anybody gets in.
	 */
	mask = umask(0117);
	bound = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (bound < 0 || listen(fd, CONTROL_CLIENTS_MAX) < 0) {
		err_set(err, "control socket %s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	if (uid != (uid_t)-1 && lchown(address.sun_path, uid, gid) < 0) {
		err_set(err, "control socket %s: cannot give it to the user: %s", address.sun_path,
			strerror(errno));
		unlink(address.sun_path);
		close(fd);
		return -1;
	}
	*ret_fd = fd;
	return 0;
}

void control_close(int fd, const char *path)
{
	if (fd < 0)
		return;
	close(fd);
	/*
	 * Where the folder is root's and we are not any more it stays, and the next start removes
	 * it.
	 */
	unlink(path);
}

static void session_free(struct session *session)
{
	struct control *control = session->control;

	if (session->state == SESSION_FREE)
		return;
	if (session->stream)
		bufferevent_free(session->stream);
	session->stream = NULL;
	session->state = SESSION_FREE;
	control->sessions--;
	if (control->listener)
		evconnlistener_enable(control->listener);
}

static void on_event(struct bufferevent *stream, short what, void *arg)
{
	(void)stream;
	(void)what;
	session_free(arg);
}

/* The reply is through. */
static void on_written(struct bufferevent *stream, void *arg)
{
	struct session *session = arg;

	if (session->state == SESSION_WRITING &&
	    !evbuffer_get_length(bufferevent_get_output(stream)))
		session_free(session);
}

static void free_body(const void *data, size_t len, void *arg)
{
	(void)data;
	(void)len;
	free(arg);
}

void control_reply(struct request *request, const char *status, char *body)
{
	struct session *session = request->client;
	struct timeval write_limit = { .tv_sec = WRITE_S };
	struct evbuffer *out;

	assert(session->state == SESSION_BUSY);
	session->state = SESSION_WRITING;
	out = bufferevent_get_output(session->stream);
	if (!body) {
		evbuffer_add_printf(out, CONTROL_ERROR "\nout of memory");
	} else {
		evbuffer_add_printf(out, "%s\n", status);
		if (!*body || evbuffer_add_reference(out, body, strlen(body), free_body, body) < 0)
			free(body);
	}
	bufferevent_set_timeouts(session->stream, NULL, &write_limit);
	bufferevent_enable(session->stream, EV_WRITE);
}

void control_reply_text(struct request *request, const char *status, const char *fmt, ...)
{
	char *text;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	control_reply(request, status, len < 0 ? NULL : text);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX in place; -1 for a bad one, and for %00. */
static int decode_word(char *word)
{
	char *to = word;
	int high, low;

	for (; *word; word++) {
		if (*word != '%') {
			*to++ = *word;
			continue;
		}
		high = hex_digit(word[1]);
		low = high < 0 ? -1 : hex_digit(word[2]);
		if (low < 0 || !(high | low))
			return -1;
		*to++ = (char)(high << 4 | low);
		word += 2;
	}
	*to = '\0';
	return 0;
}

int request_read(struct request *request, char *line)
{
	char *word, *rest = NULL;

	request->json = false;
	request->count = 0;
	for (word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (request->count == 0 && !request->json && strcmp(word, "-j") == 0) {
			request->json = true;
			continue;
		}
		if (request->count == CONTROL_WORDS_MAX || decode_word(word) < 0)
			return -1;
		request->word[request->count++] = word;
	}
	return request->count ? 0 : -1;
}

static void on_readable(struct bufferevent *stream, void *arg)
{
	struct session *session = arg;
	struct evbuffer *in = bufferevent_get_input(stream);
	struct evbuffer_ptr end;

	if (session->state != SESSION_READING)
		return;
	end = evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_LF);
	if (end.pos < 0) {
		if (evbuffer_get_length(in) > CONTROL_REQUEST_MAX)
			session_free(session);
		return;
	}
	if (end.pos > CONTROL_REQUEST_MAX) {
		session_free(session);
		return;
	}
	evbuffer_remove(in, session->line, (size_t)end.pos);
	session->line[end.pos] = '\0';
	session->state = SESSION_BUSY;
	/*
	 * Nothing more is read: the command holds the request, so the session must not end before
	 * the reply, and a client may well have shut down its side. Each command has its own time
	 * limit.
	 */
	bufferevent_disable(stream, EV_READ);
	session->request.client = session;
	session->request.parts = &session->control->parts;
	if (request_read(&session->request, session->line) < 0)
		control_reply_text(&session->request, CONTROL_USAGE, "not a request");
	else
		command_run(&session->request);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
		      int len, void *arg)
{
	struct timeval read_limit = { .tv_sec = READ_S };
	struct control *control = arg;
	struct session *session = control->session;

	(void)from;
	(void)len;
	/* A full house is not asked in: the listener is off. */
	while (session->state != SESSION_FREE)
		session++;
	session->control = control;
	session->stream = bufferevent_socket_new(control->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!session->stream) {
		close(fd);
		return;
	}
	session->state = SESSION_READING;
	control->sessions++;
	bufferevent_setcb(session->stream, on_readable, on_written, on_event, session);
	bufferevent_setwatermark(session->stream, EV_READ, 0, CONTROL_REQUEST_MAX + 2);
	bufferevent_set_timeouts(session->stream, &read_limit, NULL);
	bufferevent_enable(session->stream, EV_READ | EV_WRITE);
	if (control->sessions == CONTROL_CLIENTS_MAX)
		evconnlistener_disable(listener);
}

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	(void)listener;
	(void)arg;
	log_write(LOG_LEVEL_WARNING, "control socket: cannot accept: %s", strerror(errno));
}

/* From now on clients come from `fd`, which is the control's. -1: nothing has changed. */
static int control_serve(struct control *control, int fd, const char *path, struct err *err)
{
	/* Backlog 0: it listens already. */
	struct evconnlistener *listener =
		evconnlistener_new(control->base, on_accept, control,
				   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);

	if (!listener)
		return err_set(err, "control socket: out of memory");
	evconnlistener_set_error_cb(listener, on_accept_error);
	control->listener = listener;
	/* It was bound to, so it fits. */
	snprintf(control->path, sizeof(control->path), "%s", path);
	return 0;
}

struct control *control_new(struct event_base *base, int fd, const char *path,
			    const struct control_parts *parts, struct err *err)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control) {
		err_set(err, "out of memory");
		return NULL;
	}
	control->parts = *parts;
	control->base = base;
	if (control_serve(control, fd, path, err) < 0) {
		control_free(control);
		return NULL;
	}
	return control;
}

int control_move(struct control *control, const char *path, struct err *err)
{
	struct evconnlistener *old = control->listener;
	char old_path[sizeof(control->path)];
	int fd;

	if (strcmp(path, control->path) == 0)
		return 0;
	strcpy(old_path, control->path);
	if (control_open(path, (uid_t)-1, (gid_t)-1, &fd, err) < 0)
		return -1;
	if (control_serve(control, fd, path, err) < 0) {
		control_close(fd, path);
		return -1;
	}
	evconnlistener_free(old);
	unlink(old_path);
	if (control->sessions == CONTROL_CLIENTS_MAX)
		evconnlistener_disable(control->listener);
	return 0;
}

void control_free(struct control *control)
{
	size_t i;

	if (!control)
		return;
	if (control->listener)
		evconnlistener_free(control->listener);
	control->listener = NULL;
	for (i = 0; i < CONTROL_CLIENTS_MAX; i++)
		session_free(&control->session[i]);
	/* See control_close. */
	if (*control->path)
		unlink(control->path);
	free(control);
}
