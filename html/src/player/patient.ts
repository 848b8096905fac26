/*
 * Fetches playlists that make nobody wait: hls.js would ask for the next one
 * before it is there, and keep a connection until it is.  A browser has six for
 * a server, so that many players would wait for each other.
 */

import Hls from "hls.js/light";
import type {
  HlsConfig,
  Loader,
  LoaderCallbacks,
  LoaderConfiguration,
  PlaylistLoaderContext,
} from "hls.js";

type PlaylistLoader = Loader<PlaylistLoaderContext>;

const Base = Hls.DefaultConfig.loader as unknown as new (
  config: HlsConfig,
) => PlaylistLoader;

export class PatientLoader extends Base {
  override load(
    context: PlaylistLoaderContext,
    config: LoaderConfiguration,
    callbacks: LoaderCallbacks<PlaylistLoaderContext>,
  ): void {
    super.load(context, config, {
      ...callbacks,
      onSuccess: (response, ...rest) => {
        if (typeof response.data === "string") {
          response.data = withoutWaiting(response.data);
        }

        callbacks.onSuccess(response, ...rest);
      },
    });
  }
}

function withoutWaiting(playlist: string): string {
  return playlist.replace("CAN-BLOCK-RELOAD=YES", "CAN-BLOCK-RELOAD=NO");
}
