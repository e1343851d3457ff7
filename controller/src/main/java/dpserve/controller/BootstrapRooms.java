package dpserve.controller;

import dpserve.io.message.KvRoute;
import dpserve.io.message.KvRouteReq;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Which prefill rank has which room: what SGLang's bootstrap server knows. Prefill ranks announce a room when they get its
 * request and every second until it is pulled, decode ranks ask for it every second until they know: so a restart of this loses nothing,
 * and nothing has to be taken out but by age. Pure; time comes in.
 */
public final class BootstrapRooms {
    /** Rooms, and questions, kept at most; the oldest go first. */
    static final int MAX = 100_000;

    /** A room not announced for this long is pulled or gone; ranks announce every second. */
    static final long ROOM_NS = TimeUnit.SECONDS.toNanos(10);

    private record Known(KvRoute route, long atNs) {}

    private record Asked(Set<String> replyTo, long atNs) {}

    /** In order of their last announcement, the oldest first; the questions in order of the first. */
    private final Map<Long, Known> rooms = new LinkedHashMap<>();

    private final Map<Long, Asked> questions = new LinkedHashMap<>();
    private final Map<Integer, Long> incarnations = new HashMap<>();

    /**
     * A prefill rank has a room. An older incarnation of the rank has none any more.
     *
     * @return who had asked for it: endpoints that the route is to be sent to
     */
    public List<String> announce(KvRoute route, long nowNs) {
        expire(nowNs);
        long newest = incarnations.merge(route.dpRank(), route.incarnation(), Math::max);
        if (route.incarnation() < newest) {
            return List.of();
        }
        rooms.remove(route.room());
        rooms.put(route.room(), new Known(route, nowNs));
        Asked asked = questions.remove(route.room());
        return asked == null ? List.of() : new ArrayList<>(asked.replyTo());
    }

    /**
     * A decode rank asks.
     *
     * @return the route, or null if no rank has announced the room yet; {@link #announce} then names the asker
     */
    public KvRoute ask(KvRouteReq question, long nowNs) {
        expire(nowNs);
        Known known = rooms.get(question.room());
        if (known != null
                && known.route().incarnation() == incarnations.get(known.route().dpRank())) {
            return known.route();
        }
        questions
                .computeIfAbsent(question.room(), room -> new Asked(new LinkedHashSet<>(), nowNs))
                .replyTo()
                .add(question.replyTo());
        return null;
    }

    private void expire(long nowNs) {
        for (Iterator<Known> it = rooms.values().iterator(); it.hasNext(); ) {
            if (nowNs - it.next().atNs() < ROOM_NS && rooms.size() <= MAX) {
                break;
            }
            it.remove();
        }
        for (Iterator<Asked> it = questions.values().iterator(); it.hasNext(); ) {
            if (nowNs - it.next().atNs() < ROOM_NS && questions.size() <= MAX) {
                break;
            }
            it.remove();
        }
    }
}
