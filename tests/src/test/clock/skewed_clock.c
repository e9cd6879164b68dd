/* Moves the wall clock of one process by milliseconds that stand in a file, which may change while
   it runs. Monotonic clocks stay. Loaded by LD_PRELOAD; see SkewedClock.java. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long long *skew_millis;

__attribute__((constructor)) static void open_skew(void) {
  const char *name = getenv("SKEWED_CLOCK_FILE");
  int file = name ? open(name, O_RDONLY) : -1;
  if (file >= 0) {
    void *mapped = mmap(0, sizeof(long long), PROT_READ, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) {
      skew_millis = mapped;
    }
    close(file);
  }
}

static void shift(time_t *seconds, long *part, long parts) {
  long long millis = skew_millis ? *skew_millis : 0;
  long long at = (long long) *part + millis % 1000 * (parts / 1000);
  *seconds += millis / 1000 + (at < 0 ? -1 : at >= parts ? 1 : 0);
  *part = at < 0 ? at + parts : at >= parts ? at - parts : at;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) {
    real = (int (*)(clockid_t, struct timespec *)) dlsym(RTLD_NEXT, "clock_gettime");
  }
  int answer = real(clock, time);
  if (answer == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    shift(&time->tv_sec, &time->tv_nsec, 1000000000L);
  }
  return answer;
}

int gettimeofday(struct timeval *time, void *zone) {
  static int (*real)(struct timeval *, void *);
  if (!real) {
    real = (int (*)(struct timeval *, void *)) dlsym(RTLD_NEXT, "gettimeofday");
  }
  int answer = real(time, zone);
  if (answer == 0) {
    shift(&time->tv_sec, &time->tv_usec, 1000000L);
  }
  return answer;
}
