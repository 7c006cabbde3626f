#include "rrl.h"

/* No default: a row that lacks a case is a warning, and a foreign number is "unknown". */
#define CASE_NAME(name, value, text, exception)                                                    \
    case name:                                                                                     \
        return #name;
#define CASE_TEXT(name, value, text, exception)                                                    \
    case name:                                                                                     \
        return text;
#define CASE_EXCEPTION(name, value, text, exception)                                               \
    case name:                                                                                     \
        return exception;

const char *rrl_status_name(rrl_status_t status) {
    switch (status) { RRL_STATUS_MAP(CASE_NAME) }
    return "RRL_UNKNOWN";
}

const char *rrl_status_text(rrl_status_t status) {
    switch (status) { RRL_STATUS_MAP(CASE_TEXT) }
    return "unknown status";
}

const char *rrl_status_exception(rrl_status_t status) {
    switch (status) { RRL_STATUS_MAP(CASE_EXCEPTION) }
    return "";
}
