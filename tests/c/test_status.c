#include "check.h"
#include "rrl.h"

static void names_texts_and_exceptions_follow_the_map(void) {
    CHECK_STR_EQ(rrl_status_name(RRL_OK), "RRL_OK");
    CHECK_STR_EQ(rrl_status_name(RRL_E_CYCLE), "RRL_E_CYCLE");
    CHECK_STR_EQ(rrl_status_text(RRL_TIMEOUT), "the time is up");
    CHECK_STR_EQ(rrl_status_exception(RRL_E_UNDECLARED), "UndeclaredEffectError");
}

static void only_errors_have_an_exception(void) {
#define CHECK_ROW(name, value, text, exception)                                                    \
    CHECK_EQ(name, value);                                                                         \
    CHECK_EQ(strlen(rrl_status_exception(name)) > 0, name < 0);                                    \
    CHECK(strlen(rrl_status_text(name)) > 0);
    RRL_STATUS_MAP(CHECK_ROW)
#undef CHECK_ROW
}

static void a_foreign_number_has_a_name_too(void) {
    CHECK_STR_EQ(rrl_status_name((rrl_status_t)-100), "RRL_UNKNOWN");
    CHECK_STR_EQ(rrl_status_text((rrl_status_t)-100), "unknown status");
    CHECK_STR_EQ(rrl_status_exception((rrl_status_t)-100), "");
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(names_texts_and_exceptions_follow_the_map),
        CHECK_CASE(only_errors_have_an_exception),
        CHECK_CASE(a_foreign_number_has_a_name_too),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
