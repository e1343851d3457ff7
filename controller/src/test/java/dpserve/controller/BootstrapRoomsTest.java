package dpserve.controller;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.KvRoute;
import dpserve.io.message.KvRouteReq;
import org.junit.jupiter.api.Test;

class BootstrapRoomsTest {
    private static final KvRoute ROUTE = new KvRoute(5, 1, 100, "tcp://127.0.0.1:7");
    private final BootstrapRooms rooms = new BootstrapRooms();

    @Test
    void shouldTellWhoHasARoom() {
        assertThat(rooms.announce(ROUTE, 0)).isEmpty();
        assertThat(rooms.ask(new KvRouteReq(5, "tcp://127.0.0.1:8"), 1)).isEqualTo(ROUTE);
        assertThat(rooms.ask(new KvRouteReq(6, "tcp://127.0.0.1:8"), 1)).isNull();
    }

    @Test
    void shouldAnswerWhoAskedTooEarly() {
        assertThat(rooms.ask(new KvRouteReq(5, "tcp://127.0.0.1:8"), 0)).isNull();
        assertThat(rooms.ask(new KvRouteReq(5, "tcp://127.0.0.1:8"), 1)).isNull();
        assertThat(rooms.announce(ROUTE, 2)).containsExactly("tcp://127.0.0.1:8");
        assertThat(rooms.announce(ROUTE, 3)).isEmpty();
    }

    @Test
    void shouldForgetTheRoomsOfADeadIncarnation() {
        rooms.announce(ROUTE, 0);
        rooms.announce(new KvRoute(9, 1, 101, "tcp://127.0.0.1:70"), 1);
        assertThat(rooms.ask(new KvRouteReq(5, "tcp://127.0.0.1:8"), 2)).isNull();
        assertThat(rooms.announce(ROUTE, 3)).isEmpty();
        assertThat(rooms.ask(new KvRouteReq(5, "tcp://127.0.0.1:8"), 4)).isNull();
    }

    @Test
    void shouldForgetWhatIsNotRepeated() {
        rooms.announce(ROUTE, 0);
        rooms.ask(new KvRouteReq(6, "tcp://127.0.0.1:8"), 0);
        assertThat(rooms.ask(new KvRouteReq(5, "tcp://127.0.0.1:8"), BootstrapRooms.ROOM_NS))
                .isNull();
        assertThat(rooms.announce(new KvRoute(6, 1, 100, "tcp://127.0.0.1:7"), BootstrapRooms.ROOM_NS))
                .isEmpty();
    }
}
