/* `__cxa_thread_atexit` for wheels that may run on glibc 2.17 (manylinux2014).
 *
 * C++ compilers call it to register the destructor of a thread_local object. GCC 10's, which
 * libstdc++.a holds as atexit_thread.o, hands the call to glibc's `__cxa_thread_atexit_impl`,
 * and so asks for glibc 2.18. This one does so only where glibc has it, and otherwise keeps a
 * list for each thread in a pthread key, as libstdc++ does on such systems.
 *
 * The image's recipe assembles thread_atexit.s, which is this file as the image's GCC compiles
 * it (an integration test compares them):
 *     gcc -O2 -fPIC -fno-asynchronous-unwind-tables -S thread_atexit.c
 */
#include <pthread.h>
#include <stdlib.h>

struct entry {
  void (*destroy)(void *);
  void *object;
  struct entry *next;
};

extern int __cxa_atexit(void (*)(void *), void *, void *);
extern int __cxa_thread_atexit_impl(void (*)(void *), void *, void *);
extern void *__dso_handle __attribute__((visibility("hidden")));

/* Before glibc 2.34 these are in a library of their own, which a program without threads, or
 * a link without -lpthread, lacks. */
#pragma weak __cxa_thread_atexit_impl
#pragma weak pthread_once
#pragma weak pthread_key_create
#pragma weak pthread_getspecific
#pragma weak pthread_setspecific

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int key_failed;
static struct entry *only_thread;

static int has_threads(void)
{
  return pthread_once && pthread_key_create && pthread_getspecific && pthread_setspecific;
}

static struct entry *first(void)
{
  return has_threads() ? pthread_getspecific(key) : only_thread;
}

static int set_first(struct entry *entry)
{
  if (has_threads())
    return pthread_setspecific(key, entry);
  only_thread = entry;
  return 0;
}

/* The last registered goes first, also when a destructor registers another. */
static void destroy_all(void)
{
  struct entry *entry;
  while ((entry = first())) {
    set_first(entry->next);
    entry->destroy(entry->object);
    free(entry);
  }
}

/* The key's value is NULL already when a thread ends. */
static void thread_ends(void *entry)
{
  if (set_first(entry) == 0)
    destroy_all();
}

/* The thread that calls exit() does not end: its objects go before static ones. */
static void program_ends(void *unused)
{
  (void)unused;
  destroy_all();
}

static void create_key(void)
{
  key_failed = has_threads() && pthread_key_create(&key, thread_ends) != 0;
  if (!key_failed)
    __cxa_atexit(program_ends, 0, &__dso_handle);
}

static void create_key_once(void)
{
  static int done;
  if (has_threads())
    pthread_once(&once, create_key);
  else if (!done) {
    done = 1;
    create_key();
  }
}

int __cxa_thread_atexit(void (*destroy)(void *), void *object, void *dso)
{
  struct entry *entry;
  if (__cxa_thread_atexit_impl)
    return __cxa_thread_atexit_impl(destroy, object, dso);
  create_key_once();
  if (key_failed || !(entry = malloc(sizeof *entry)))
    return -1;
  entry->destroy = destroy;
  entry->object = object;
  entry->next = first();
  if (set_first(entry) == 0)
    return 0;
  free(entry);
  return -1;
}
