package dpserve.io.model;

import java.util.ServiceLoader;
import java.util.function.Function;

/** Finds what optional modules on the class path offer. */
public final class Providers {
    private Providers() {}

    /**
     * @throws IllegalArgumentException if no module on the class path offers it
     */
    public static EngineProvider engine(String name) {
        return find(EngineProvider.class, EngineProvider::name, name);
    }

    /**
     * @throws IllegalArgumentException if no module on the class path offers it
     */
    public static VocabularyProvider vocabulary(String name) {
        return find(VocabularyProvider.class, VocabularyProvider::name, name);
    }

    private static <T> T find(Class<T> type, Function<T, String> nameOf, String name) {
        for (T provider : ServiceLoader.load(type)) {
            if (nameOf.apply(provider).equals(name)) {
                return provider;
            }
        }
        throw new IllegalArgumentException(
                "module " + name + " is not on the class path; scripts/launch.sh builds and adds it, mvn -P" + name
                        + " package builds it");
    }
}
