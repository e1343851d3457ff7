package dpserve.scheduler;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;

/**
 * The prefix cache: a radix tree over token ids, one tree for each namespace (extra_key). A node stands for the KV of
 * its tokens. Running requests lock the path they use; unlocked leaves are evicted, least recently used first.
 *
 * <p>Holds counts only: which device slot belongs to which token is the engine's affair. Time is a running number of the
 * calls, so equal calls give equal trees. Not thread-safe.
 */
final class RadixCache {
    /** A run of tokens below its parent. {@code end} counts the tokens from the root to its last. */
    static final class Node {
        private final long id;
        private final String namespace;
        private final Map<Integer, Node> children = new HashMap<>(2);
        private Node parent;
        private int[] key;
        private final int end;
        private int locks;
        private long lastUse;

        private Node(long id, String namespace, Node parent, int[] key, int end) {
            this.id = id;
            this.namespace = namespace;
            this.parent = parent;
            this.key = key;
            this.end = end;
        }

        /** Tokens from the root to here. */
        int end() {
            return end;
        }

        private boolean isEvictable() {
            return parent != null && locks == 0 && children.isEmpty();
        }
    }

    private static final int[] NO_IDS = {};

    private final Map<String, Node> roots = new HashMap<>();

    /** All evictable nodes, the next to go first. A node's lastUse only changes while it is outside. */
    private final TreeSet<Node> evictable =
            new TreeSet<>(Comparator.<Node>comparingLong(n -> n.lastUse).thenComparingLong(n -> n.id));

    private long now;
    private long nodesMade;
    private int lockedTokens;
    private int unlockedTokens;

    /** Tokens held. */
    int size() {
        return lockedTokens + unlockedTokens;
    }

    /** Tokens that running requests keep from eviction. */
    int lockedTokens() {
        return lockedTokens;
    }

    /** Tokens that eviction can free. */
    int unlockedTokens() {
        return unlockedTokens;
    }

    /** How many of ids[0..limit) are held, from the first on. Changes nothing, uses nothing. */
    int matchLength(String namespace, int[] ids, int limit) {
        Node node = roots.get(namespace);
        if (node == null) {
            return 0;
        }
        while (node.end < limit) {
            Node child = node.children.get(ids[node.end]);
            if (child == null) {
                return node.end;
            }
            int common = common(child, ids, limit);
            if (common < child.key.length) {
                return node.end + common;
            }
            node = child;
        }
        return node.end;
    }

    /**
     * Finds the longest prefix of ids[0..limit) that is held, and locks it.
     *
     * @return where it ends; to be given back to {@link #unlock}
     */
    Node lockPrefix(String namespace, int[] ids, int limit) {
        Node node = descend(namespace, ids, limit);
        lock(node);
        return node;
    }

    /**
     * Adds ids[0..length).
     *
     * @return the node that ends with the last of them, not locked
     */
    Node insert(String namespace, int[] ids, int length) {
        Node node = descend(namespace, ids, length);
        if (node.end == length) {
            return node;
        }
        Node leaf = new Node(nodesMade++, namespace, node, Arrays.copyOfRange(ids, node.end, length), length);
        leaf.lastUse = now;
        evictable.remove(node);
        node.children.put(leaf.key[0], leaf);
        unlockedTokens += leaf.key.length;
        evictable.add(leaf);
        return leaf;
    }

    /** Keeps the path to this node from eviction, once more. */
    void lock(Node node) {
        for (Node n = node; n != null; n = n.parent) {
            if (n.locks == 0) {
                evictable.remove(n);
                lockedTokens += n.key.length;
                unlockedTokens -= n.key.length;
            }
            n.locks++;
        }
    }

    /** Takes one lock off the path to this node. */
    void unlock(Node node) {
        for (Node n = node; n != null; n = n.parent) {
            if (n.locks == 0) {
                throw new IllegalStateException("unlocked more often than locked");
            }
            n.locks--;
            if (n.locks == 0) {
                lockedTokens -= n.key.length;
                unlockedTokens += n.key.length;
                settle(n);
            }
        }
    }

    /** Drops unlocked leaves until at least this many tokens are gone or none is left; returns how many went. */
    int evict(int tokens) {
        int gone = 0;
        while (gone < tokens && !evictable.isEmpty()) {
            Node leaf = evictable.pollFirst();
            leaf.parent.children.remove(leaf.key[0]);
            unlockedTokens -= leaf.key.length;
            gone += leaf.key.length;
            settle(leaf.parent);
        }
        return gone;
    }

    /** A node that may have become a leaf or lost its last lock: evictable now, or an empty root that can go. */
    private void settle(Node node) {
        if (node.isEvictable()) {
            evictable.add(node);
        } else if (node.parent == null && node.locks == 0 && node.children.isEmpty()) {
            roots.remove(node.namespace, node);
        }
    }

    /** Follows ids[0..limit) as far as they are held and marks the path used; splits a node held in part. */
    private Node descend(String namespace, int[] ids, int limit) {
        now++;
        Node node = roots.computeIfAbsent(namespace, name -> new Node(nodesMade++, name, null, NO_IDS, 0));
        while (node.end < limit) {
            Node child = node.children.get(ids[node.end]);
            if (child == null) {
                return node;
            }
            int common = common(child, ids, limit);
            if (common < child.key.length) {
                child = split(child, common);
            }
            use(child);
            node = child;
        }
        return node;
    }

    private void use(Node node) {
        boolean waiting = evictable.remove(node);
        node.lastUse = now;
        if (waiting) {
            evictable.add(node);
        }
    }

    /** Puts a new node for the first tokens above this one; locks on the old node hold the new one too. */
    private Node split(Node lower, int at) {
        Node upper = new Node(
                nodesMade++,
                lower.namespace,
                lower.parent,
                Arrays.copyOf(lower.key, at),
                lower.end - lower.key.length + at);
        upper.locks = lower.locks;
        upper.lastUse = lower.lastUse;
        upper.parent.children.put(upper.key[0], upper);
        lower.key = Arrays.copyOfRange(lower.key, at, lower.key.length);
        lower.parent = upper;
        upper.children.put(lower.key[0], lower);
        return upper;
    }

    private static int common(Node child, int[] ids, int limit) {
        int from = child.end - child.key.length;
        int most = Math.min(child.key.length, limit - from);
        int at = Arrays.mismatch(child.key, 0, most, ids, from, from + most);
        return at < 0 ? most : at;
    }
}
