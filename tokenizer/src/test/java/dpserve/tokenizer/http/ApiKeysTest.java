package dpserve.tokenizer.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ApiKeysTest {
    private static final String USER = "user-key-1";
    private static final String ADMIN = "admin-key-1";

    private static boolean allows(ApiKeys keys, String method, String path, String key) {
        return keys.allows(method, path, key == null ? null : "Bearer " + key);
    }

    /** As sglang's decide_request_auth: N needs no key, U the API key, A the admin key. */
    @ParameterizedTest
    @CsvSource({
        "POST, /generate, N, U, N, U",
        "GET, /v1/models, N, U, N, U",
        "GET, /server_info, N, U, N, U",
        "GET, /nothing/here, N, U, N, U",
        "GET, /ready, N, U, N, U",
        "GET, /load_balance, N, U, N, U",
        "PUT, /load_balance, N, U, A, A",
        "POST, /flush_cache, N, U, A, A",
        "GET, /flush_cache, N, U, A, A",
        "POST, /abort_request, N, U, A, A",
        "POST, /ranks/1/drain, N, U, A, A",
        "GET, /health, N, N, N, N",
        "GET, /health_generate, N, N, N, N",
        "GET, /metrics, N, N, N, N",
        "GET, /dashboard, N, N, N, N",
        "GET, /dashboard/events, N, U, N, U",
        "OPTIONS, /generate, N, N, N, N"
    })
    void shouldFollowSglangsRules(String method, String path, char none, char user, char admin, char both) {
        check(new ApiKeys(null, ""), method, path, none);
        check(new ApiKeys(USER, null), method, path, user);
        check(new ApiKeys(null, ADMIN), method, path, admin);
        check(new ApiKeys(USER, ADMIN), method, path, both);
    }

    private static void check(ApiKeys keys, String method, String path, char needed) {
        assertThat(allows(keys, method, path, null)).as("no key").isEqualTo(needed == 'N');
        assertThat(allows(keys, method, path, USER)).as("user's").isEqualTo(needed == 'N' || needed == 'U');
        assertThat(allows(keys, method, path, ADMIN)).as("admin's").isEqualTo(needed == 'N' || needed == 'A');
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "Bearer",
                "Bearer ",
                "Bearer user-key-",
                "Bearer user-key-12",
                "Basic user-key-1",
                "user-key-1"
            })
    void shouldTakeNothingButTheWholeKey(String authorization) {
        assertThat(new ApiKeys(USER, null).allows("POST", "/generate", authorization))
                .isFalse();
    }

    @Test
    void shouldTakeTheSchemesNameInAnyCase() {
        assertThat(new ApiKeys(USER, null).allows("POST", "/generate", "bEARER " + USER))
                .isTrue();
    }

    @Test
    void shouldNameTheFlagOfAKeyThatWillNotDoButNotTheKey() {
        assertThatThrownBy(() -> new ApiKeys("short", null))
                .hasMessageContaining("--api-key must have 8 to 512 characters")
                .hasMessageNotContaining("short");
        assertThatThrownBy(() -> new ApiKeys(null, "with a space"))
                .hasMessageContaining("--admin-api-key")
                .hasMessageNotContaining("space in");
    }
}
